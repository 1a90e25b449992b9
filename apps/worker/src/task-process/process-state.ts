/**
 * What a try may change about its process, put back after it: working directory, environment, exit code, and the
 * handlers of signals, exceptions and other events of the process.
 */

type Listeners = ReadonlyMap<string | symbol, readonly Listener[]>;
// The shape Node itself gives to what `process.rawListeners` returns.
// biome-ignore lint/complexity/noBannedTypes: see above
type Listener = Function;

/** Takes a picture of the process; the returned function puts everything back as it was. */
export function captureProcessState(): () => void {
  const folder = process.cwd();
  // biome-ignore lint/style/noProcessEnv: not configuration; a task's changes are undone
  const environment = { ...process.env };
  const listeners = currentListeners();
  const { exitCode, title } = process;
  return () => {
    restoreFolder(folder);
    restoreEnvironment(environment);
    restoreListeners(listeners);
    process.exitCode = exitCode;
    if (process.title !== title) process.title = title;
  };
}

function restoreFolder(folder: string): void {
  let now: string | undefined;
  try {
    now = process.cwd();
  } catch {
    // The try removed the folder it was in.
  }
  if (now !== folder) process.chdir(folder);
}

function restoreEnvironment(before: NodeJS.ProcessEnv): void {
  const { env } = process;
  for (const name of Object.keys(env)) if (!Object.hasOwn(before, name)) delete env[name];
  for (const [name, value] of Object.entries(before)) if (env[name] !== value) env[name] = value;
}

function currentListeners(): Listeners {
  return new Map(process.eventNames().map((name) => [name, process.rawListeners(name as "exit")]));
}

function restoreListeners(before: Listeners): void {
  for (const [name, now] of currentListeners()) {
    const kept = before.get(name) ?? [];
    for (const added of now) if (!kept.includes(added)) process.removeListener(name, added as () => void);
  }
  const now = currentListeners();
  for (const [name, kept] of before) {
    for (const listener of kept) if (!now.get(name)?.includes(listener)) process.on(name, listener as () => void);
  }
}
