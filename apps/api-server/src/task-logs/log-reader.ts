/**
 * The log of one try, wherever it lies, as bytes at positions. An adapter knows a place: the shared folder, or the log
 * server of the worker that wrote it.
 */
import type { TaskLogKey } from "@updraft/service-kit";

export interface LogFile {
  /** Changes when another file takes the place, as after a clean-up. */
  readonly identity: string;
  readonly size: number;
  /** Bytes from `position`; fewer than asked for at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface LogReader {
  /** `hostname` is where the try ran. Null where no place has a log of the try. */
  open(key: TaskLogKey, hostname: string | null): Promise<LogFile | null>;
  /** The file on this machine, if there may be one: worth a watch. */
  localPath(key: TaskLogKey): string | undefined;
}
