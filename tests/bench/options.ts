/** `npm run bench -- b1 b4 --rounds=5 --idle-seconds=1800`. */
export interface BenchOptions {
  /** Empty: every row. */
  readonly rows: readonly string[];
  readonly rounds: number;
  /** B6: how long each rate is held. */
  readonly loadSeconds: number;
  /** B9. */
  readonly ticks: number;
  /** B11: the window after which memory and processor are read. */
  readonly idleSeconds: number;
  /** B10. */
  readonly finishedInstances: number;
}

const DEFAULTS = { rounds: 5, "load-seconds": 10, ticks: 12, "idle-seconds": 20, "finished-instances": 1_000_000 };
type Name = keyof typeof DEFAULTS;

export function readOptions(args: readonly string[]): BenchOptions {
  const given = { ...DEFAULTS };
  const rows: string[] = [];
  for (const arg of args) {
    const option = /^--([a-z-]+)=(\d+)$/.exec(arg);
    if (option === null) rows.push(arg.toLowerCase());
    else if (isName(option[1])) given[option[1]] = Number(option[2]);
    else
      throw new Error(
        `unknown option ${arg}; known are ${Object.keys(DEFAULTS)
          .map((name) => `--${name}=N`)
          .join(", ")}`,
      );
  }
  return {
    rows,
    rounds: given.rounds,
    loadSeconds: given["load-seconds"],
    ticks: given.ticks,
    idleSeconds: given["idle-seconds"],
    finishedInstances: given["finished-instances"],
  };
}

function isName(name: string | undefined): name is Name {
  return name !== undefined && Object.hasOwn(DEFAULTS, name);
}
