import type { Content } from "./content.ts";
import type { StandInAccount, StandInEntry } from "./stand-in.ts";

/** The accounts of one stand-in and what lies in them, as controls and demo data need it. */
export interface VendorFiles {
  accounts(): readonly StandInAccount[];
  addAccount(account: StandInAccount): void;
  /** Parent folders are made. A file that is there gets a new version. */
  addFile(login: string, path: string, content: Content): void;
  addFolder(login: string, path: string): void;
  entries(login: string): readonly StandInEntry[];
}
