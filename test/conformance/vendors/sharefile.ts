import { noMembers, noTeamDrives, type VendorTraits } from "./traits.ts";

export const traits: VendorTraits = {
  rootAlias: "home",
  base: "",
  ignoresCase: true,
  downloadPath: () => "/download.ashx",
  triesOfMove: 3,
  moves: { method: "PATCH", path: "/sf/v3/Items(" },
  lastingLinks: { view: "/d-s" },
  versionsHaveIds: true,
  has: ["addShared", "addSharedFolder"],
  lacks: [
    noTeamDrives("https://api.sharefile.com/html/docs/Items.html"),
    noMembers("https://api.sharefile.com/html/docs/Items.html"),
  ],
};
