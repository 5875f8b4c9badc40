import type { Attributes, Meter, MetricOptions } from "@opentelemetry/api";

/** One series: what it is of, and what it has come to. */
interface Series {
  readonly attributes: Attributes;
  value: number;
}

/** By meter and name, since several who count for one meter are to be added up. */
const counters = new WeakMap<Meter, Map<string, Counter>>();

/**
 * A counter that adds up by itself and is asked when the metrics are read. To add to one of OpenTelemetry's SDK takes some
 * microseconds for the attributes each time, which is more than all the rest of a request takes.
 */
export class Counter {
  readonly #series = new Map<string, Series>();

  private constructor(meter: Meter, name: string, options: MetricOptions) {
    meter.createObservableCounter(name, options).addCallback((result) => {
      for (const { attributes, value } of this.#series.values()) {
        result.observe(value, attributes);
      }
    });
  }

  /** The counter of that name. */
  static of(meter: Meter, name: string, options: MetricOptions): Counter {
    let known = counters.get(meter);
    if (!known) counters.set(meter, known = new Map());
    let counter = known.get(name);
    if (!counter) known.set(name, counter = new Counter(meter, name, options));
    return counter;
  }

  /** Adds to the series of that key; its attributes are those that it is first given. */
  add(value: number, key: string, attributes: Attributes) {
    const series = this.#series.get(key);
    if (series) series.value += value;
    else this.#series.set(key, { attributes: { ...attributes }, value });
  }
}
