import type { Content } from "./content.ts";
import type { StandInAccount, StandInEntry, StandInPlaces } from "./stand-in.ts";

/** The accounts of one stand-in and their files, for controls and demo data. */
export interface VendorFiles {
  accounts(): readonly StandInAccount[];
  addAccount(account: StandInAccount): void;
  /** Makes missing parent folders. An existing file gets a new version. */
  addFile(login: string, path: string, content: Content): void;
  readonly places: StandInPlaces;
  addFolder(login: string, path: string): void;
  entries(login: string): readonly StandInEntry[];
}
