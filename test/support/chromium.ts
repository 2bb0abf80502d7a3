// A real browser without a window, for pages that talk through a balancer.
import { chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** Whether this machine has no Chromium; HERALD_TEST_LACKS says so. */
export const lacksChromium = (process.env['HERALD_TEST_LACKS'] ?? '')
  .split(',')
  .includes('chromium-headless-shell');

/** Opens a page of a fresh browser for one test, which ends both. */
export async function openPage(url: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium-headless-shell',
    // Tests run as root in containers, whose /dev/shm is small; it opens pages of tests alone.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}
