import { shortName, TypeUrl } from "../resource/mod.ts";

/**
 * What types are called in attributes. Clients say which types they ask for, and may make them up: what is not known is
 * `other`, so that nobody can make series without end.
 *
 * @param own type URLs that are known beside those of xDS
 */
export function typeNames(
  own: Iterable<string>,
): (typeUrl: string) => string {
  const names = new Map(
    [...Object.values(TypeUrl), ...own].map((typeUrl) => [
      typeUrl as string,
      shortName(typeUrl),
    ]),
  );
  return (typeUrl) => names.get(typeUrl) ?? "other";
}
