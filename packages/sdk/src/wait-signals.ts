/** What a handler throws to let its try wait. Caught by the host of the try alone. */
import type { JsonValue } from "@updraft/dag-core";

export type Kwargs = Readonly<Record<string, JsonValue>>;

/** How the try goes on. */
export interface NextStep {
  readonly method: string;
  readonly kwargs: Kwargs;
  /** Seconds. */
  readonly timeout: number | null;
}

/** The base of all: an author who catches everything is told what was caught. */
export class WaitSignal extends Error {
  override readonly name: string = "WaitSignal";
}

export class TaskDeferred extends WaitSignal {
  override readonly name = "TaskDeferred";
  readonly classpath: string;
  readonly triggerKwargs: Kwargs;
  readonly next: NextStep;

  constructor(trigger: { readonly classpath: string; readonly kwargs: Kwargs }, next: NextStep) {
    super(`The task waits for trigger ${trigger.classpath}; let this error pass`);
    this.classpath = trigger.classpath;
    this.triggerKwargs = trigger.kwargs;
    this.next = next;
  }
}

export class TaskRescheduled extends WaitSignal {
  override readonly name = "TaskRescheduled";
  readonly date: Date;

  constructor(date: Date) {
    super(`The task looks again at ${date.toISOString()}; let this error pass`);
    this.date = date;
  }
}

export class TaskAwaitingInput extends WaitSignal {
  override readonly name = "TaskAwaitingInput";
  readonly next: NextStep;

  constructor(next: NextStep) {
    super("The task waits for an answer; let this error pass");
    this.next = next;
  }
}

/** Ends the task well and skips what comes after it; nothing is pushed unless nothing comes after it. */
export class SkipDownstream extends WaitSignal {
  override readonly name = "SkipDownstream";
  /** Everything downstream, or the direct successors only. */
  readonly everything: boolean;
  /** The result where nothing comes after the task. */
  readonly result: JsonValue;

  constructor(everything: boolean, result: JsonValue) {
    super("The tasks after this one are skipped; let this error pass");
    this.everything = everything;
    this.result = result;
  }
}
