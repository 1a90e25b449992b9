/** Ends the process whose id is given when this process's stdin ends, which it does with whoever started it. */
const pid = Number(process.argv[2]);

process.stdin.resume();
process.stdin.on("end", () => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
  process.exit(0);
});
