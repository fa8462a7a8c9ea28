"""One algorithm a file: ask, tell, learn, state, load_state. This dict is all there is to registering one.

`paretrim.algorithms.OPTIONS` holds what can be set, under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

from search.algorithm import Maker
from search.algorithms.amc import Amc
from search.algorithms.annealing import Annealing
from search.algorithms.cma import Cma
from search.algorithms.given import Given
from search.algorithms.gp import Gp
from search.algorithms.greedy import Greedy
from search.algorithms.haq import Haq
from search.algorithms.ilp import Ilp
from search.algorithms.joint import Joint
from search.algorithms.netadapt import NetAdapt
from search.algorithms.nsga2 import Nsga2
from search.algorithms.nsga3 import Nsga3
from search.algorithms.portfolio import Portfolio
from search.algorithms.random import RandomSearch
from search.algorithms.sac import Sac
from search.algorithms.sensitivity import Sensitivity
from search.algorithms.td3 import Td3
from search.algorithms.tec import Tec
from search.algorithms.tpe import Tpe
from search.algorithms.triangle import Triangle
from search.algorithms.uniform import UniformSearch

ALGORITHMS: Mapping[str, Maker] = {
    "amc": Amc,
    "annealing": Annealing,
    "cma": Cma,
    "given": Given,
    "gp": Gp,
    "greedy": Greedy,
    "haq": Haq,
    "ilp": Ilp,
    "joint": Joint,
    "netadapt": NetAdapt,
    "nsga2": Nsga2,
    "nsga3": Nsga3,
    "portfolio": Portfolio,
    "random": RandomSearch,
    "sac": Sac,
    "sensitivity": Sensitivity,
    "td3": Td3,
    "tec": Tec,
    "tpe": Tpe,
    "triangle": Triangle,
    "uniform": UniformSearch,
}
