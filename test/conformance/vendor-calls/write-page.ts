import { writeFileSync } from "node:fs";
import { vendorsPage } from "./page.ts";

// The second part of `npm run vendors:table`; the first measures.
writeFileSync(new URL("../../../docs/documents-vendors.md", import.meta.url), await vendorsPage());
