console.log(Deno.memoryUsage().rss/1e6)
