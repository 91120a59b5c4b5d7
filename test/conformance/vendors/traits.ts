import type { HubCallName } from "../../../functions/core/documents/calls.ts";
import type { StandInPlaces } from "../../../local/vendors/stand-in.ts";
import type { HubItem } from "../hub-client.ts";

/** What a vendor has beside a user's plain files and folders: each is a method of its stand-in that adds it. */
export type Speciality = keyof StandInPlaces;

/** Calls that a vendor cannot serve, and its page that shows this. */
export interface Lack {
  readonly calls: readonly HubCallName[];
  readonly why: string;
  readonly page: string;
}

/** @param page what a connection of the vendor is for */
export function noMembers(page: string): Lack {
  return { calls: ["members"], why: "a connection is for one user, not for a team", page };
}

/** @param page the vendor's list of calls */
export function noTeamDrives(page: string): Lack {
  return {
    calls: [
      "team-drives.list",
      "team-drives.create",
      "team-drives.read",
      "team-drives.change",
      "team-drives.delete",
    ],
    why: "shared drives are Google's, and none of the vendor's calls makes or lists such drives",
    page,
  };
}

/**
 * What the conformance suite must know of a vendor to ask the right questions. Each vendor has a file with its own traits here;
 * no test asks for a connector's name.
 */
export interface VendorTraits {
  /** Another id of the root folder, in the form in which a URL has it. */
  readonly rootAlias?: string;
  /** Folder in which the tests work: empty for the root, else a path without a slash at its end. */
  readonly base: string;
  /** Paths in which a name in another case leads to the same item. */
  readonly ignoresCase: boolean;
  /** The path of the vendor request that brings a file's bytes. */
  readonly downloadPath: (file: HubItem) => string;
  /** A name can have a `/`. The vendor has `addDocument`. */
  readonly namesHoldSlashes?: true;
  /** What a document is exported as if the caller names no media type. The vendor has `addDocument`. */
  readonly usualExport?: { readonly mediaType: string; readonly extension: string };
  /** The vendor may give up the cursor of a list that is still read; its stand-in has `lostCursor`. */
  readonly losesCursors?: true;
  /** The vendor requests that move or rename a file. */
  readonly moves: { readonly method: string; readonly path: string };
  /** How many of these come before the last one when only the case of a name changes; absent: none. */
  readonly movesBeforeCaseOnly?: number;
  /** A file's links do not expire: parts of the links of the vendor, which may have none to the bytes. */
  readonly lastingLinks?: { readonly view: string; readonly download?: string };
  /** New bytes make another id; the `refId` stays. */
  readonly versionsHaveIds?: true;
  /** The configuration with which a member of a team sees the own folder only. The vendor has `addTeamSpace`. */
  readonly withoutTeamSpace?: Readonly<Record<string, string>>;
  /** An instance is for a team: calls act for the member that a header or this value of the configuration names. */
  readonly memberConfiguration?: string;
  /** How often a move is tried while the vendor's servers fail. Absent: twice. */
  readonly triesOfMove?: number;
  readonly has: readonly Speciality[];
  /** Why calls are 501: all that the module has no method for. Linkspan serves the others. */
  readonly lacks?: readonly Lack[];
  /** Asks also what takes long and is the same for all vendors. One vendor is enough. */
  readonly slowTests?: boolean;
}
