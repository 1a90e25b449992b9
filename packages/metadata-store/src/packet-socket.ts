/**
 * A socket that sends what is written in one turn of the event loop as one packet, so that statements given together
 * wake the server once. `pg` corks the socket around each prepared statement.
 */
import { Socket } from "node:net";

export class PacketSocket extends Socket {
  #isGathering = false;

  override cork(): void {
    super.cork();
    if (this.#isGathering) return;
    this.#isGathering = true;
    super.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.uncork();
    });
  }
}
