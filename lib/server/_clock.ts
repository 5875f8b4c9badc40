import { type Clock, systemClock } from "../cache/mod.ts";

/** The system's clock, but that nobody can set it: what is late is not made so, or early, by a change of the time. */
export const steadyClock: Clock = {
  now: () => performance.now(),
  after: systemClock.after,
};
