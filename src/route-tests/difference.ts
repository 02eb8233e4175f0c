/** One thing that is not as expected. What is undefined was not expected, or did not come out. */
export interface Difference {
  /** `routes`, `legs`, or a place in a leg such as `archive → history: attributes.subject`. */
  readonly at: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly why?: string;
}
