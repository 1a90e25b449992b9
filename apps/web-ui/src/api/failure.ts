/**
 * What the server refused or could not do, in words for people: what was tried, on what, and what to do next.
 * Bodies have Airflow's forms: `{ detail: text }`, or `{ detail: [{ loc, msg }] }` for fields that don't fit.
 */

interface FieldProblem {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

export class ApiFailure extends Error {
  /** 0 where no answer came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
  }
}

/** The words of an answer that is an error. */
export function failureOf(status: number, attempted: string, body: unknown): ApiFailure {
  return new ApiFailure(status, detailText(body) ?? `${attempted} was answered with status ${status}.`);
}

/** No answer at all: the server is down or the network is. */
export function unreachable(attempted: string): ApiFailure {
  return new ApiFailure(0, `${attempted} got no answer. The server may be starting or stopped.`);
}

/** What to do about it, where there is something to do. */
export function adviceFor(error: unknown): string {
  if (!(error instanceof ApiFailure)) return "Reload the page. If it happens again, the server's log says more.";
  if (error.status === 0) return "See whether the server runs, then try again.";
  if (error.status === 403) return "Sign in as a user who may do this.";
  if (error.status === 404) return "It may have been removed or renamed. Go back to the list.";
  if (error.status >= 500) return "The server's log says more. Try again in a moment.";
  return "Change what was asked and try again.";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function detailText(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("detail" in body)) return null;
  const { detail } = body;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) return detail.filter(isFieldProblem).map(fieldText).join(" ") || null;
  if (typeof detail === "object" && detail !== null && "message" in detail) return String(detail.message);
  return null;
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return typeof value === "object" && value !== null && "loc" in value && Array.isArray(value.loc) && "msg" in value;
}

/** The first part of `loc` says where the field was sent (body, query): of no use to people. */
function fieldText(problem: FieldProblem): string {
  const name = problem.loc.slice(1).join(".");
  return name === "" ? `${problem.msg}.` : `${name}: ${problem.msg}.`;
}
