import { testScripts } from "../support/test_scripts.ts";
import { Conversation } from "./_conversation.ts";

testScripts(
  "protocol script",
  new URL("testdata/", import.meta.url),
  () => new Conversation(),
);
