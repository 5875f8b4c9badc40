/** Told of events. */
type Observer<E> = (event: E) => void;

/** One observer that tells all of them, none of which can throw; undefined if there is none to tell. */
export function combined<E extends { kind: string }>(
  observers: Observer<E> | readonly Observer<E>[] | undefined,
): Observer<E> | undefined {
  if (!observers) return undefined;
  if (typeof observers === "function") return isolated(observers);
  const all = observers.map(isolated);
  if (all.length <= 1) return all[0];
  return (event) => {
    for (const observer of all) observer(event);
  };
}

/** Milliseconds for which the errors of an observer on one kind of event are counted, once one was printed. */
const PRINT_INTERVAL = 1_000;

function isolated<E extends { kind: string }>(
  observer: Observer<E>,
): Observer<E> {
  const printed = new Map<string, { at: number; left: number }>();
  const print = (kind: string, error: unknown) => {
    const now = performance.now();
    const last = printed.get(kind);
    if (last && now - last.at < PRINT_INTERVAL) {
      last.left++;
      return;
    }
    const more = last?.left ? ` (and ${last.left} times before)` : "";
    console.error(
      `xds: the observer threw when it was told of "${kind}"${more}:`,
      error,
    );
    printed.set(kind, { at: now, left: 0 });
  };
  return (event) => {
    try {
      const result: unknown = observer(event);
      // An async function passes for one that returns nothing; its rejection would end the process.
      if (result instanceof Promise) {
        result.catch((error) => print(event.kind, error));
      }
    } catch (error) {
      print(event.kind, error);
    }
  };
}
