/** What a row of the suite gives: samples with their isolation, floor and bar. */
import type { Bench } from "./bench.ts";

export interface Bar {
  readonly of: "p50" | "p99" | "max";
  readonly limit: number;
}

export interface Figure {
  readonly what: string;
  readonly isolation: "warm process" | "process per task" | "no task";
  readonly unit: "ms" | "s" | "MB" | "%" | "runs/s" | "x";
  readonly samples: readonly number[];
  readonly bars: readonly Bar[];
  /** What the libraries alone would take for the same work, in the unit of the samples; null: there is no such thing. */
  readonly floor: number | null;
  /** The same on the Airflow of AIRFLOW_BASE_URL. */
  readonly peer?: readonly number[] | undefined;
  /** What a reader should know of this sample. */
  readonly note?: string;
}

export interface Row {
  readonly id: string;
  readonly work: string;
  measure(bench: Bench): Promise<readonly Figure[]>;
}
