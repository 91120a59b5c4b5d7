import { describeAccount } from "./account.ts";
import { describeCopiesAndFolders } from "./copies-and-folders.ts";
import { describeDownloads } from "./downloads.ts";
import { describeErrors } from "./errors.ts";
import type { Fixture } from "./fixture.ts";
import { describeHardNames } from "./hard-names.ts";
import { describeLinksAndRevisions } from "./links-and-revisions.ts";
import { describeLists } from "./lists.ts";
import { describeMembers } from "./members.ts";
import { describeMetadata } from "./metadata.ts";
import { describeNames } from "./names.ts";
import { describeOldClients } from "./old-clients.ts";
import { describePlaces } from "./places.ts";
import { describeRestrictions } from "./restrictions.ts";
import { describeSearch } from "./search.ts";
import { describeTeamDrives } from "./team-drives.ts";
import { describeUploads } from "./uploads.ts";

/** What every vendor of the hub must do; a new group of tests has its line here. */
export function describeHub(on: Fixture): void {
  describeAccount(on);
  describeUploads(on);
  describeDownloads(on);
  describeNames(on);
  describeHardNames(on);
  describeMetadata(on);
  describeCopiesAndFolders(on);
  describeLists(on);
  describeSearch(on);
  describeLinksAndRevisions(on);
  describeErrors(on);
  describePlaces(on);
  describeMembers(on);
  describeRestrictions(on);
  describeTeamDrives(on);
  describeOldClients(on);
}
