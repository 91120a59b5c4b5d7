import { runProgram } from "./admin/program.ts";

/**
 * The operator's command line: tenants, their OAuth apps, their instances, and the dead letters of the work
 * queue. The same commands work against the local platform (the default) and against AWS (`--profile`,
 * `--stack`).
 */
process.exitCode = await runProgram(process.argv.slice(2));
