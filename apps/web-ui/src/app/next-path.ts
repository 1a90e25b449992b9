/** Where sign-in leads: only ever to a page of this site, whatever the address bar was given. */

const DEFAULT_PATH = "/dags";

export function nextPath(asked: string | null): string {
  const isOwnPath = asked?.startsWith("/") === true && !/^\/[/\\]/.test(asked) && !asked.startsWith("/login");
  return isOwnPath ? asked : DEFAULT_PATH;
}

/** The sign-in page that leads back to `path`. */
export function loginPathFor(path: string): string {
  return path === "/" || path.startsWith("/login") ? "/login" : `/login?next=${encodeURIComponent(path)}`;
}
