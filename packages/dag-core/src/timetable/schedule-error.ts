/** What is wrong with a schedule an author wrote, and what to write instead. */
export class ScheduleError extends Error {
  override readonly name = "ScheduleError";
  readonly hint: string;

  /** `message` says what was found; `hint` what to write. */
  constructor(message: string, hint: string) {
    super(`${message}. ${hint}`);
    this.hint = hint;
  }
}
