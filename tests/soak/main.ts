/** `npm run soak -- MINUTES`: the flagship for as long as asked, then the comparison. Exit code 1 where it doesn't hold. */
import { printReport, soakFor, startSoak } from "./soak.ts";

const minutes = Number(process.argv[2] ?? "30");
const soak = await startSoak();
try {
  console.log(`the flagship runs for ${minutes} minutes at ${soak.product.url}`);
  await soakFor(soak, minutes * 60_000);
  const report = await soak.settle();
  printReport(report);
  const broken = [report.unaccounted, report.failedRuns, report.missing, report.surplus].flat();
  for (const one of broken) console.log(`  ${one}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
} finally {
  await soak.stop();
}
