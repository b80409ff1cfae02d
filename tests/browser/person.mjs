// What a person does at a browser, from a mail's link to having withdrawn, on a narrow and on a wide screen; axe-core looks at every page on the way.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf-8");
const { AT, CHROMIUM } = process.env;

const seen = [];
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
for (const [person, width, locale, colorScheme] of [["fr:ada", 320, "fr-FR", "dark"], ["fr:lea", 1280, "en-GB", "light"]]) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, locale, colorScheme, javaScriptEnabled: true });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => { if (message.text().includes("Content Security Policy")) complaints.push(message.text()); });

  const look = async (name) => {
    await page.evaluate(axe);
    const found = await page.evaluate("axe.run()");
    const widest = await page.evaluate("document.documentElement.scrollWidth");
    seen.push({
      person, name, path: new URL(page.url()).pathname, language: await page.getAttribute("html", "lang"),
      title: await page.title(), violations: found.violations.map((one) => one.id), checked: found.passes.length, wider: widest > width,
      complaints: complaints.splice(0),
    });
  };
  const send = () => page.click("main form button");

  await page.goto(`${AT}/enrolment/programmes/digital-2027`);
  await look("sign in");
  await page.fill("#person", person);
  await page.click("button");
  await look("programme");
  await page.click("main a.button");
  await look("form");
  await page.evaluate("document.querySelector('[name=accepted]').required = false");
  await page.fill("[name=from-mon] >> nth=0", "09:00");
  await send();
  await look("faults");
  await page.fill("[name=to-mon] >> nth=0", "12:00");
  await page.selectOption("select >> nth=0", "3");
  await page.check("[name=accepted]");
  await send();
  await look("enrolled");
  await page.click("main a.button >> nth=0");
  await page.fill("[name=from-fri] >> nth=0", "14:00");
  await page.fill("[name=to-fri] >> nth=0", "00:00");
  await look("edit");
  await send();
  await look("changed");
  await page.click("main a.button >> nth=1");
  await look("withdraw");
  await send();
  await look("withdrawn");
  await page.goto(`${AT}/enrolment/nothing`);
  await look("nothing there");
  await page.goto(`${AT}/enrolment/`);
  await look("home");
  await page.click("header button");
  await look("signed out");
  await context.close();
}
await browser.close();
console.log(JSON.stringify(seen));
