import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createResource, Resource } from "../resource/mod.ts";

/**
 * Resources of one type by their names.
 *
 * @param nameOf the name of a message; default: its own
 * @throws {TypeError} if two have the same name, or one is of another type
 */
export function byName<D extends DescMessage>(
  resources: Iterable<MessageShape<D> | Resource>,
  typeUrl: string,
  schema: D | undefined,
  nameOf: ((message: MessageShape<D>) => string) | undefined,
): Map<string, Resource> {
  const found = new Map<string, Resource>();
  for (const item of resources) {
    const resource = item instanceof Resource
      ? item
      : fromMessage(item, schema, nameOf);
    const { name } = resource;
    if (resource.typeUrl !== typeUrl) {
      throw new TypeError(
        `${resource.typeUrl} ${
          JSON.stringify(name)
        } is no ${typeUrl}, which is what this cache is for`,
      );
    }
    if (found.has(name)) {
      throw new TypeError(
        `two resources of type ${typeUrl} are named ${JSON.stringify(name)}`,
      );
    }
    found.set(name, resource);
  }
  return found;
}

function fromMessage<D extends DescMessage>(
  message: MessageShape<D>,
  schema: D | undefined,
  nameOf: ((message: MessageShape<D>) => string) | undefined,
): Resource {
  // A message of another type is named by its own, to be turned away by it.
  const isOwn = message.$typeName === schema?.typeName;
  return createResource(message, {
    schema: isOwn ? schema : undefined,
    name: isOwn ? nameOf?.(message) : undefined,
  });
}
