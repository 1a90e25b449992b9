/** The name of the user that a role runs as. */
import { userInfo } from "node:os";

/** Empty where the user has none, as in many containers. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}
