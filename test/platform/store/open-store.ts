import { openDynalite } from "../../../local/aws/dynalite.ts";

/** A separate process that opens a folder's tables, which copies the LevelDB tables in the folder. */
const [folder = ""] = process.argv.slice(2);
process.stdout.write("opening\n");
await openDynalite(folder);
process.stdout.write("open\n");
