/** What tasks wrote about themselves: lines of `begin|end run task try instant`. Pure. */

interface Try {
  readonly number: number;
  readonly begins: number[];
  end: number | null;
}

export interface Effects {
  ended(run: string, task: string): boolean;
  doubled(): string[];
  repeated(): number;
}

export function readEffects(text: string): Effects {
  const tasks = new Map<string, Map<number, Try>>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [word = "", run = "", task = "", number = "", at = ""] = line.split(" ");
    const tries = tasks.get(`${run} ${task}`) ?? new Map<number, Try>();
    tasks.set(`${run} ${task}`, tries);
    const one = tries.get(Number(number)) ?? { number: Number(number), begins: [], end: null };
    tries.set(one.number, one);
    if (word === "begin") one.begins.push(Number(at));
    else one.end = Number(at);
  }
  return {
    ended: (run, task) => [...(tasks.get(`${run} ${task}`)?.values() ?? [])].some(({ end }) => end !== null),
    doubled: () =>
      [...tasks].flatMap(([name, tries]) => doubledIn([...tries.values()]).map((what) => `${name}: ${what}`)),
    repeated: () => [...tasks.values()].filter((tries) => tries.size > 1).length,
  };
}

function doubledIn(tries: readonly Try[]): string[] {
  const twice = tries.filter(({ begins }) => begins.length > 1).map(({ number }) => `try ${number} began twice`);
  const overlapping = tries.flatMap((earlier) =>
    tries
      .filter(({ number, begins }) => number > earlier.number && (begins[0] ?? Infinity) < (earlier.end ?? 0))
      .map(({ number }) => `try ${number} began before try ${earlier.number} ended`),
  );
  return [...twice, ...overlapping];
}
