import { noMembers, noTeamDrives, type VendorTraits } from "./traits.ts";

export const traits: VendorTraits = {
  rootAlias: "%252F",
  base: "",
  ignoresCase: true,
  downloadPath: () => "/2/files/download",
  moves: { method: "POST", path: "/2/files/move_v2" },
  movesBeforeCaseOnly: 1,
  lastingLinks: { view: "dl=0", download: "dl=1" },
  usualExport: { mediaType: "text/markdown", extension: ".md" },
  losesCursors: true,
  withoutTeamSpace: { "path.root": "home" },
  has: ["addShared", "addDocument", "addTeamSpace"],
  lacks: [
    noTeamDrives("https://www.dropbox.com/developers/documentation/http/documentation"),
    noMembers("https://www.dropbox.com/developers/documentation/http/documentation"),
  ],
  slowTests: true,
};
