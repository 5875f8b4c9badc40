import { request as plain } from "node:http";
import { request as secure } from "node:https";

/** What a server answered. */
export interface Answer {
  status: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
}

/** What {@linkcode get} may be told. */
export interface GetOptions {
  /** The certificate of the authority that the server's is to be of. */
  ca?: string;
  /** The name that the server's certificate is to be of. */
  servername?: string;
  host?: string;
  path?: string;
  headers?: Record<string, string>;
}

/** A GET on a connection of its own, over TLS if the certificate of an authority is given. */
export function get(port: number, options: GetOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { ca, path = "/", host = "localhost", servername = "localhost" } =
      options;
    const target = {
      hostname: "127.0.0.1",
      port,
      path,
      agent: false,
      headers: { host, ...options.headers },
    } as const;
    const request = ca ? secure({ ...target, ca, servername }) : plain(target);
    request.on("response", (response) => {
      let body = "";
      response.on("data", (chunk) => body += chunk);
      response.on(
        "end",
        () =>
          resolve({
            status: response.statusCode!,
            body,
            headers: response.headers,
          }),
      );
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  });
}
