/** Whether a request comes from this machine, and was meant for it. */
import { isIPv6 } from "node:net";
import type { Request } from "express";

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** Headers by which a proxy says that it speaks for somebody else. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip"] as const;

export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_NAMES.has(host.toLowerCase()) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * True only where the peer is this machine, no proxy stands between, and the `Host` header names this machine too: a
 * page of another site whose name was pointed at 127.0.0.1 fails the last.
 */
export function isFromLoopback(request: Request): boolean {
  if (!isLoopbackAddress(request.socket.remoteAddress ?? "")) return false;
  if (PROXY_HEADERS.some((name) => request.headers[name] !== undefined)) return false;
  return isLoopbackHost(hostnameOf(request.headers.host ?? ""));
}

function isLoopbackAddress(address: string): boolean {
  const plain = isIPv6(address) ? address.replace(/^::ffff:/i, "") : address;
  return isLoopbackHost(plain);
}

function hostnameOf(hostHeader: string): string {
  return hostHeader.replace(/:\d+$/, "");
}
