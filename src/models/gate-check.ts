/** One question of the gate and its answer: `value` must not be above `limit`. */
export interface GateCheck {
  readonly name: string;
  readonly target?: string;
  readonly value: number;
  readonly limit: number;
  readonly passed: boolean;
}
