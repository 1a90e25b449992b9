/** Sends the given signal to the process whose id is given when this process's stdin ends, which it does with whoever started it. */
const pid = Number(process.argv[2]);
const signal = process.argv[3] ?? "SIGKILL";

process.stdin.resume();
process.stdin.on("end", () => {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
  process.exit(0);
});
