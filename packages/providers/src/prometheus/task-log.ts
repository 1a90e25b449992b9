/** What the tasks' logic needs of a log; the SDK's logger is one. */
import type { TaskLogger } from "@updraft/sdk";

export type TaskLog = Pick<TaskLogger, "info" | "warning" | "error">;
