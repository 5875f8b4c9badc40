const SCHEME = "xdstp://";

/** Context parameters that are sorted. A name with more is compared as it is, so that sorting many costs nobody much. */
const MAX_PARAMETERS = 32;

/**
 * A resource name as it is compared: the context parameters of an `xdstp://` name in the order of their keys, unless there
 * are more than 32. Any other name as it is.
 *
 * @see https://github.com/cncf/xds/blob/main/proposals/TP1-xds-transport-next.md
 */
export function canonicalName(name: string): string {
  if (!name.startsWith(SCHEME)) return name;
  const { path, parameters, directives } = split(name);
  // One more than there may be is enough to know.
  const parts = parameters.split("&", MAX_PARAMETERS + 1);
  if (parts.length > MAX_PARAMETERS) return name;
  const sorted = parts.sort().join("&");
  return path + (parameters && `?${sorted}`) + directives;
}

/** Whether a name stands for a glob collection: all resources directly below a path (`xdstp://authority/type/path/*`). */
export function isCollection(name: string): boolean {
  return name.startsWith(SCHEME) && split(name).path.endsWith("/*");
}

/** The glob collection that a resource belongs to; undefined for one without an `xdstp://` name. Of a canonical name, canonical. */
export function collectionOf(name: string): string | undefined {
  if (!name.startsWith(SCHEME)) return undefined;
  const { path, parameters } = split(name);
  const parent = path.slice(0, path.lastIndexOf("/"));
  return `${parent}/*${parameters && `?${parameters}`}`;
}

function split(
  name: string,
): { path: string; parameters: string; directives: string } {
  const hash = name.indexOf("#");
  const end = hash < 0 ? name.length : hash;
  const question = name.indexOf("?");
  const query = question < 0 || question > end ? end : question;
  return {
    path: name.slice(0, query),
    parameters: name.slice(query + 1, end),
    directives: name.slice(end),
  };
}
