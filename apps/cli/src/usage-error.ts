/** What somebody typed can't be followed; the help of the command is shown with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
