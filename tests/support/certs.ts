const folder = `${import.meta.dirname}/certs/`;

/** A certificate or key that tests use, in PEM; `certs/make.sh` made them. */
export function pem(file: string): string {
  return Deno.readTextFileSync(folder + file);
}
