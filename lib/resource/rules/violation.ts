/** A rule of Envoy's protos that a resource breaks. */
export interface Violation {
  /**
   * The field, from the resource's own fields down: `filter_chains[0].filters[0].typed_config.stat_prefix`; or the name
   * of a oneof of which no field is set.
   */
  readonly path: string;
  /**
   * The rule, as protoc-gen-validate names it: `string.min_len`, `repeated.items.string.pattern`, `oneof.required`; or
   * `wire` if the field's bytes are no message of its type.
   */
  readonly rule: string;
  /** What is wrong, in Envoy's own words: `value length must be at least 1 characters`. */
  readonly message: string;
}
