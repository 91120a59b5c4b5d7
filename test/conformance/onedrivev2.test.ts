import { describeConnector } from "./documents/on-connector.ts";

describeConnector("onedrivev2");
