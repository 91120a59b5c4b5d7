import { openDynalite } from "../../../local/aws/dynalite.ts";

/** A process of its own that opens a folder's tables, which takes over what LevelDB holds there. */
const [folder = ""] = process.argv.slice(2);
process.stdout.write("opening\n");
await openDynalite(folder);
process.stdout.write("open\n");
