// One contract, six pickers.
import { pickerNames } from '../../src/core/pick/picker-name.ts';
import { describePicker } from './picker-suite.ts';

for (const name of pickerNames) describePicker(name);
