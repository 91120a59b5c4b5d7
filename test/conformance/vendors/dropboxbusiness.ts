import { traits as dropbox } from "./dropbox.ts";
import { noTeamDrives, type VendorTraits } from "./traits.ts";

const { slowTests: _, ...shared } = dropbox;

export const traits: VendorTraits = {
  ...shared,
  memberConfiguration: "team.member.id",
  lacks: [noTeamDrives("https://www.dropbox.com/developers/documentation/http/teams")],
};
