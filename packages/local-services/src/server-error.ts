/** A server that can't be had: what was tried, and the way out. */
export class ServerError extends Error {
  constructor(tried: string, wayOut: string, options?: { readonly cause?: unknown; readonly log?: string }) {
    const log = options?.log === undefined || options.log === "" ? "" : `\nIts last words:\n${options.log}`;
    super(`${tried}. ${wayOut}${log}`, { cause: options?.cause });
    this.name = "ServerError";
  }
}

export const DISK_FULL = "The disk is full: free some space (a first fetch needs about 1 GB) and start again.";
