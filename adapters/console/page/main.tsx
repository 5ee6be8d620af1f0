// Starts the page.
import { render } from 'preact';
import { App } from './app.js';
import './style/base.css';
import './style/parts.css';
import './style/diagram.css';
import './style/pages.css';
import { applyTheme, chosenTheme } from './theme.js';

applyTheme(chosenTheme());
const root = document.getElementById('page');
if (root !== null) render(<App />, root);
