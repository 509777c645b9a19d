"""A forked notebook shows what a Jupyter kernel shows: one notebook of traps, by both engines."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_kit import kernels
from retention_kit.engines import Engine

# What a kernel catches from C and from subprocesses comes by another way, a moment later: cells wait for it.
CELLS = {
    "streams": "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('more', end='')",
    "raw": """
import os, subprocess, time
os.system("echo from the shell")
subprocess.run(["sh", "-c", "echo from a subprocess; echo of its errors >&2"])
time.sleep(0.5)
""",
    "order": """
print("before")
display("shown")
os.system("echo raw")
time.sleep(0.5)
print("after")
"and the result"
""",
    "c": "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.puts(b'from C')\nlibc.fflush(None)\ntime.sleep(0.5)",
    "lines": "!echo one; echo two\n!exit 3",
    "magics": "%time x = 1\n%who\n%env NAME=value\nos.environ['NAME']",
    "cell_magic": "%%bash\necho from bash",
    "captured": "%%capture kept\nprint('kept')",
    "history": "kept.stdout, _, In[1][:10], Out[3]",
    "updates": "handle = display('first', display_id='h')\nhandle.update('second')",
    "later": "handle.update('third')\ndisplay('another', display_id='h')",
    "cleared": "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('here')",
    "cleared_late": "print('gone')\nclear_output(wait=True)\nprint('here')\ndisplay('too')",
    "loop": "import asyncio\ntask = asyncio.create_task(asyncio.sleep(0.01, 'slept'))\ntype(task).__name__",
    "await": "print(await task)\nawait asyncio.sleep(0, 'awaited')",
    "html": "import pandas as pd\n"
    "from IPython.display import HTML, Markdown\ndisplay(HTML('<b>b</b>'), Markdown('*m*'))",
    "frame": "pd.DataFrame({'a': [1, 2], 'b': ['x', '<y>']})",
    "wide": "print(pd.DataFrame([range(9)], columns=[f'a column with a name {n}' for n in range(9)]))",
    "bundle": """
class Card:
    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"application/vnd.retention-kit.headline+json": {"value": 1.5, "none": None}}
        return {"text/html": "<p>card</p>", "text/plain": "card", **data}, {"text/html": {"alt": "a"}}
Card()
""",
    "figure": "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.plot([1, 2])\nplt.title('t')",
    "two": "%matplotlib inline\nfor n in (1, 2):\n"
    "    plt.figure(figsize=(1, 1))\n    plt.plot([1, n])\n    plt.show()",
    "who": "get_ipython().__class__.__name__, __name__, "
    "os.getcwd() == os.path.realpath(''), sys.stdout.isatty()",
    "quiet": "'not shown';",
    "nothing": "# only a comment",
    "warning": "import warnings\nwarnings.warn('mind', stacklevel=1)",
    "error": "def inner():\n    return {}['key']\n\nprint('so far')\ninner()",
    "syntax": "for x in:",
    "magic_error": "%nomagic",
    "asked": "input('name?')",
    "exit": "sys.exit(3)",
    "bad_repr": "class Bad:\n    def __repr__(self):\n        raise ValueError('no repr')\nBad()",
    "unicode": "print('żółć ✓ \\ud800'.encode('utf-8', 'replace').decode())\n'日本'",
    "long": "for n in range(3000): print(n)",
    "end": "'the end'",
}
RAISE = ("error", "syntax", "magic_error", "asked", "exit", "bad_repr")


@pytest.fixture(scope="module")
def executed(warm, tmp_path_factory):
    """The notebook of traps, by each engine, its cells by their names."""
    folder = tmp_path_factory.mktemp("shells")
    cells = [new_code_cell(source, id=name) for name, source in CELLS.items()]
    for cell in cells:
        cell.metadata["tags"] = ["raises-exception"] if cell.id in RAISE else []
    cells[-1].metadata["tags"] = ["sentinel"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "traps.ipynb")
    notebooks = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_CURRENT_TEST")  # under pytest a kernel does not catch what C prints
        for engine in (warm, Engine("papermill")):
            with pytest.raises(kernels.Stopped) as stopped:  # at the first error; it went on as its tag says
                kernels.execute(folder / "traps.ipynb", {}, engine=engine)
            notebooks[engine.name] = stopped.value.notebook
    return notebooks


@pytest.mark.parametrize("name", [name for name in CELLS if name != "asked"])
def test_a_cell_shows_what_it_shows_in_a_kernel(executed, name):
    ours, theirs = (normal(cell_of(executed[engine], name)) for engine in ("warm", "papermill"))
    assert ours == theirs
    assert name in ("quiet", "nothing", "captured") or ours["outputs"] != "[]"


def test_nobody_is_asked(executed):
    for notebook in executed.values():
        assert [output.ename for output in cell_of(notebook, "asked").outputs] == ["StdinNotImplementedError"]


def test_the_notebook_is_described_as_by_a_kernel(executed):
    ours, theirs = (executed[engine].metadata for engine in ("warm", "papermill"))
    assert ours.language_info == theirs.language_info
    assert set(ours.papermill) == set(theirs.papermill)


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def normal(cell):
    """Without what differs from run to run; a kernel's two streams have no order of their own."""
    outputs, streams = [], {}
    for output in [*cell.outputs, None]:
        if output is not None and output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + output.text
            continue
        outputs += [streams[name] for name in ("stdout", "stderr") if name in streams]
        streams = {}
        outputs += [] if output is None else [dict(output)]
    volatile = {
        r"/\S+/ipykernel_\d+/\d+": "ipykernel",
        r"(Wall|CPU) times?:.*": "time",
        r"0x[0-9a-f]+": "0x",
    }
    text = repr(outputs)
    for pattern, word in volatile.items():
        text = re.sub(pattern, word, text)
    return {"outputs": text, "count": cell.execution_count, "status": cell.metadata.papermill.status}
