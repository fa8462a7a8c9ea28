"""The search algorithms: what they are called, what can be set, and the baselines every job also runs.

Known here so that the web process can list and check them without loading `search`; a test holds `OPTIONS` and
`search.algorithms.ALGORITHMS` to the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from paretrim.errors import InvalidInput
from paretrim.problem import Constraint, Policy
from paretrim.wire import AlgorithmChoice

Genome = Literal["keep", "bits", "joint", "full"]

_GENOME = (
    "What is searched: `keep` ratios of groups, `bits` of layers, both (`joint`), or these with ranks of layers and"
    " whole residual blocks (`full`)."
)


class Options(BaseModel):
    """What can be set on an algorithm. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RandomOptions(Options):
    """Independent random policies, each brought onto the budget."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"


class UniformOptions(Options):
    """The same keep ratio for every group and the same bits for every layer."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"


class ScalarOptions(Options):
    """Of algorithms that maximise one figure."""

    soft: Annotated[
        str | None,
        Field(
            description="A soft budget, e.g. `latency_ratio <= 0.5`: the reward is accuracy x (cost / bound)^exponent."
        ),
    ] = None
    soft_exponent: Annotated[float, Field(ge=-10, le=0, description="The exponent of a soft budget.")] = -0.07

    @field_validator("soft")
    @classmethod
    def _a_cost(cls, soft: str | None) -> str | None:
        if soft is None:
            return None
        constraint = Constraint.parse(soft)
        if constraint.base_metric == "accuracy" or not constraint.bound > 0:
            raise ValueError("a soft budget is a cost with a bound above 0, e.g. 'latency_ratio <= 0.5'")
        return str(constraint)


class AgentSearchOptions(ScalarOptions):
    """Of algorithms in which an agent walks the network."""

    warmup: Annotated[
        int | None, Field(ge=0, description="Episodes of random choice at first; absent: a quarter of the budget.")
    ] = None
    noise: Annotated[float, Field(gt=0, le=2, description="Deviation of the exploration noise after warm-up.")] = 0.5
    noise_decay: Annotated[
        float | None,
        Field(gt=0, le=1, description="Factor on the noise per episode; absent: 0.05 of it is left at the end."),
    ] = None
    hidden: Annotated[int, Field(ge=8, le=1024, description="Width of the two hidden layers.")] = 300
    actor_rate: Annotated[float, Field(gt=0, le=1, description="Learning rate of the actor.")] = 1e-4
    critic_rate: Annotated[float, Field(gt=0, le=1, description="Learning rate of the critic.")] = 1e-3
    batch: Annotated[int, Field(ge=1, le=4096, description="Transitions per gradient step.")] = 64
    updates: Annotated[int, Field(ge=0, le=64, description="Gradient steps per transition told.")] = 1
    tau: Annotated[float, Field(gt=0, le=1, description="Share of the new weights in the target networks.")] = 0.01
    gamma: Annotated[float, Field(ge=0, le=1, description="Discount of the next step's value.")] = 1.0
    baseline_decay: Annotated[
        float, Field(ge=0, lt=1, description="Memory of the moving reward baseline; the paper's is 0.5.")
    ] = 0.5
    replay: Annotated[int, Field(ge=1, le=100_000, description="Episodes the replay buffer holds.")] = 2000


class AmcOptions(AgentSearchOptions):
    """DDPG that walks the network and chooses each group's keep ratio (He et al., ECCV 2018)."""


class Td3Options(AgentSearchOptions):
    """AMC's walk with TD3: two critics and a delayed actor (Fujimoto et al., 2018)."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "keep"


class SacOptions(AgentSearchOptions):
    """AMC's walk with SAC: a stochastic actor with an entropy bonus (Haarnoja et al., 2018)."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "keep"


class HaqOptions(AgentSearchOptions):
    """DDPG that walks the network and chooses weight and activation bits layer by layer (Wang et al., CVPR 2019)."""


class JointOptions(AgentSearchOptions):
    """DDPG that chooses keep ratios and both bit-widths of every layer in one episode."""


class AnnealingOptions(ScalarOptions):
    """Simulated annealing over the vector of a policy (Kirkpatrick et al., 1983)."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    heat: Annotated[float, Field(gt=0, le=1, description="First temperature, in accuracy; the last is 1 % of it.")] = (
        0.02
    )
    step: Annotated[float, Field(gt=0, le=1, description="First deviation of a changed coordinate.")] = 0.3
    changes: Annotated[float, Field(gt=0, le=1000, description="Coordinates changed at once, on average.")] = 2.0


class CmaOptions(ScalarOptions):
    """CMA-ES: a normal distribution over policies that moves and takes the shape of its better draws (Hansen, 2016)."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    population: Annotated[
        int | None, Field(ge=4, le=10_000, description="Draws of a generation; absent: 4 + 3 ln(coordinates).")
    ] = None
    step: Annotated[float, Field(gt=0, le=0.5, description="First deviation of each coordinate.")] = 0.2


class SensitivityOptions(ScalarOptions):
    """One-at-a-time scan around the uniform policy; what is kept then rises with sensitivity."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    cut: Annotated[float, Field(gt=0, le=1, description="Share by which a probe turns one coordinate down.")] = 0.5


class TriangleOptions(Options):
    """The hand rule: the later a layer, the sparser."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"


class SurrogateOptions(Options):
    """Of algorithms that fit a separable model of accuracy."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    probes: Annotated[
        int | None,
        Field(ge=0, description="Random policies before the model is asked; absent: a quarter of the budget at most."),
    ] = None


class IlpOptions(SurrogateOptions):
    """Separable model of accuracy, solved exactly by mixed-integer programming."""


class GreedyOptions(SurrogateOptions):
    """Separable model of accuracy, answered step by step: least damage for what is saved."""


class TecOptions(ScalarOptions):
    """Genetic search over one bit per filter, with roulette, crossover by layer and mutation (TEC, KDD 2018)."""

    population: Annotated[
        int | None, Field(ge=4, le=10_000, description="Parents kept; absent: a fifth of the budget, at most 32.")
    ] = None
    compression: Annotated[
        float, Field(ge=0, le=10, description="Weight of the share of units removed, beside accuracy, in fitness.")
    ] = 0.02
    crossover: Annotated[float, Field(ge=0, le=1, description="Probability that a child has two parents.")] = 0.7
    mutation: Annotated[float, Field(ge=0, le=1, description="Chance of each further group to be mutated too.")] = 0.1
    fresh: Annotated[float, Field(ge=0, le=1, description="Probability of a new individual from the criterion.")] = 0.1


class Nsga2Options(Options):
    """Non-dominated sorting genetic algorithm II (Deb et al., 2002), Optuna's."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    population: Annotated[
        int | None, Field(ge=2, le=10_000, description="Individuals of a generation; absent: a tenth of the budget.")
    ] = None
    crossover: Annotated[float, Field(ge=0, le=1, description="Probability that a child has two parents.")] = 0.9
    swapping: Annotated[float, Field(ge=0, le=1, description="Probability that a gene is the other parent's.")] = 0.5
    mutation: Annotated[
        float | None, Field(ge=0, le=1, description="Probability that a gene is drawn anew; absent: 1 / genes.")
    ] = None


class Nsga3Options(Nsga2Options):
    """NSGA-II with reference directions, for three and more objectives (Deb & Jain, 2014), Optuna's."""

    divisions: Annotated[int, Field(ge=1, le=100, description="Divisions of each objective between directions.")] = 3


class StartupOptions(Options):
    """Of algorithms that begin with random policies."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    startup: Annotated[
        int | None, Field(ge=1, description="Random policies at first; absent: a tenth of the budget.")
    ] = None


class TpeOptions(StartupOptions):
    """Tree-structured Parzen estimator (Bergstra et al., 2011), Optuna's."""

    multivariate: Annotated[bool, Field(description="One density for all coordinates, not one for each.")] = True


class GpOptions(StartupOptions):
    """Bayesian optimisation with a Gaussian process, Optuna's; frugal with candidates, dear to ask."""


class PortfolioOptions(Options):
    """Model, evolution and agent together, each asked as often as it helps: the default if in doubt."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    agent: Annotated[bool, Field(description="Let an AMC agent propose as well.")] = True


class NetAdaptOptions(ScalarOptions):
    """Rounds in which every knob alone is cut and the best cut stays (Yang et al., ECCV 2018)."""

    genome: Annotated[Genome, Field(description=_GENOME)] = "joint"
    reduction: Annotated[float, Field(gt=0, lt=1, description="Share of the cost saved in a round.")] = 0.1
    cut: Annotated[float, Field(gt=0, le=1, description="First cut of a knob under a fixed budget.")] = 0.3


class GivenOptions(Options):
    """Your own policies, evaluated one after the other and delivered like any other."""

    policies: Annotated[
        list[dict[str, Any]],
        Field(
            description="Each with any of `keep`, `bits`, `rank`, `removed` and `sparsity`, as in a candidate's"
            " `policy`; the names are those that `paretrim inspect` prints.",
            max_length=1000,
        ),
    ] = []

    @field_validator("policies")
    @classmethod
    def _policies(cls, policies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for policy in policies:
            Policy.from_json(policy)
        return policies


#: what can be set, by algorithm
OPTIONS: Mapping[str, type[Options]] = {
    "amc": AmcOptions,
    "annealing": AnnealingOptions,
    "cma": CmaOptions,
    "greedy": GreedyOptions,
    "haq": HaqOptions,
    "ilp": IlpOptions,
    "joint": JointOptions,
    "given": GivenOptions,
    "gp": GpOptions,
    "netadapt": NetAdaptOptions,
    "nsga2": Nsga2Options,
    "nsga3": Nsga3Options,
    "portfolio": PortfolioOptions,
    "random": RandomOptions,
    "sac": SacOptions,
    "sensitivity": SensitivityOptions,
    "td3": Td3Options,
    "tec": TecOptions,
    "tpe": TpeOptions,
    "triangle": TriangleOptions,
    "uniform": UniformOptions,
}

#: one sentence on each, for lists
SUMMARY: Mapping[str, str] = {name: (options.__doc__ or "").strip() for name, options in OPTIONS.items()}

#: the agents whose networks can go on with another model
AGENTS = ("amc", "haq", "joint", "sac", "td3")

#: what every job also runs, at the same budget, so that nobody takes luck for skill
BASELINES = ("random", "uniform")


class Chosen(NamedTuple):
    """An algorithm of a job."""

    name: str
    options: dict[str, Any]
    baseline: bool  #: added for comparison, not asked for


def check_options(name: str, options: Mapping[str, Any]) -> Options:
    """The options as a checked value. Raises InvalidInput naming the field, what is wrong with it and what to do."""
    known = OPTIONS.get(name)
    if known is None:
        raise InvalidInput(
            f"{name!r} is not an algorithm; choose from {', '.join(sorted(OPTIONS))}", field="algorithms"
        )
    try:
        return known.model_validate(dict(options))
    except ValidationError as error:
        raise _explained(name, known, error) from None


def with_baselines(choices: Iterable[AlgorithmChoice | str]) -> list[Chosen]:
    """What a job runs: the algorithms asked for, then the baselines that were not. Raises InvalidInput."""
    asked = [AlgorithmChoice(name=choice) if isinstance(choice, str) else choice for choice in choices]
    for choice in asked:
        check_options(choice.name, choice.options)
    named = {choice.name for choice in asked}
    return [Chosen(choice.name, dict(choice.options), False) for choice in asked] + [
        Chosen(name, {}, True) for name in BASELINES if name not in named
    ]


def _explained(name: str, known: type[Options], error: ValidationError) -> InvalidInput:
    first = error.errors()[0]
    option = ".".join(str(part) for part in first["loc"])
    field = f"algorithms.{name}.options.{option}"
    if first["type"] == "extra_forbidden":
        choice = ", ".join(known.model_fields) or "none"
        return InvalidInput(f"{name} has no option {option!r}; it has: {choice}", field=field)
    return InvalidInput(f"option {option!r} of {name}: {first['msg']}, got {first['input']!r}", field=field)
