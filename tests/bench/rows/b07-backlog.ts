import { handOvers, wall } from "../driver.ts";
import type { Row } from "../row.ts";
import { spread } from "../statistics.ts";
import { beside } from "./beside.ts";

export const b7: Row = {
  id: "B7",
  work: "5,000 tasks waiting for slots beside a chain of higher priority",
  async measure(bench) {
    const installation = await bench.shared();
    const { driver } = installation;
    await installation.sql("INSERT INTO slot_pool VALUES ('bench_narrow', 1, 'of B7') ON CONFLICT DO NOTHING");
    const loaded = await beside(driver, "bench_waiting5000", () =>
      driver.rounds("bench_chain40_urgent", bench.options.rounds),
    );
    return [
      {
        what: "hand-over beside 4,999 waiting tasks",
        isolation: "warm process",
        unit: "ms",
        samples: loaded.flatMap(handOvers),
        bars: [{ of: "p50", limit: 10 }],
        floor: bench.handOverFloor,
      },
    ];
  },
};

export const b8: Row = {
  id: "B8",
  work: "5,000 blocked tasks beside 10 runnable ones, against an empty system",
  async measure(bench) {
    const { driver } = await bench.shared();
    const { rounds } = bench.options;
    const empty = spread((await driver.rounds("bench_fan10", rounds * 2)).map(wall));
    const loaded = await beside(driver, "bench_blocked5000", () => driver.rounds("bench_fan10", rounds * 2));
    return [
      {
        what: "10 side by side, beside 5,000 blocked : alone",
        isolation: "warm process",
        unit: "x",
        samples: [spread(loaded.map(wall)).p50 / empty.p50],
        bars: [{ of: "p50", limit: 1.5 }],
        floor: 1,
        note: `alone p50 ${empty.p50.toFixed(0)} ms`,
      },
    ];
  },
};
