"""What of SciPy refuses traced values, and why: functions and classes."""

from fnmatch import fnmatchcase
from importlib import import_module
from types import FunctionType

import numpy as np

from dotbar.scipy.mirror import OWN, takes_traced

MODULES = [
    *("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "optimize.elementwise"),
    *("signal", "signal.windows"),
    *("sparse", "sparse.linalg", "spatial", "spatial.distance", "spatial.transform", "special", "stats"),
]


def public(name):
    """The members of a module by their names."""
    own = import_module(f"dotbar.scipy.{name}")
    return {f"{name}.{member}": getattr(own, member) for member in own.__all__}


MEMBERS = {name: value for module in MODULES for name, value in public(module).items()}
WITHOUT_RULE = {
    name: f for name, f in MEMBERS.items() if isinstance(f, FunctionType | np.ufunc) and not takes_traced(f)
}
CLASSES = {
    name: c
    for name, c in MEMBERS.items()
    if isinstance(c, type) and c not in OWN.values() and not issubclass(c, Exception | np.ufunc)
}

REFUSED = {
    "fft": {
        "choose the library and the threads": "*_backend get_workers set_workers",
        "lengths, which are integers": "next_fast_len prev_fast_len",
    },
    "integrate": {
        "nodes and weights of a whole order": "lebedev_rule newton_cotes",
        "are one step of a solver; solve_ivp differentiates all of them": """
            BDF complex_ode DenseOutput DOP853 LSODA ode OdeSolution OdeSolver Radau RK23 RK45
        """,
    },
    "interpolate": {
        "choose knots or poles, which is no continuous choice": """
            bisplrep generate_knots LSQSphereBivariateSpline make_splprep make_splrep splprep
        """,
        "return numpy.poly1d, which holds plain numbers; KroghInterpolator has a derivative": """
            approximate_taylor_polynomial lagrange pade
        """,
        "roots, of which the number changes": "sproot",
        "was removed from SciPy": "interp2d",
    },
    "linalg": {
        "constant matrices of a given size": "dft hadamard helmert hilbert invhilbert invpascal pascal",
        "random": "clarkson_woodruff_transform",
        "look for a routine": "find_best_blas_type get_blas_funcs get_lapack_funcs",
    },
    "ndimage": {
        "images of bits": "binary_* generate_binary_structure iterate_structure",
        "labels, positions, counts and distances that are integers": """
            distance_transform_cdt find_objects histogram label maximum_position minimum_position value_indices
            watershed_ift
        """,
        "call a function of plain arrays": "generic_* labeled_comprehension vectorized_filter",
        "return positions as well; minimum, maximum and distance_transform_edt have a derivative": """
            distance_transform_bf extrema
        """,
    },
    "optimize": {
        "solutions among integers, which jump": "milp quadratic_assignment",
        "where a search stops, which no condition determines": "bracket line_search",
        "older names of methods of minimize, which has a derivative": """
            fmin_cobyla fmin_l_bfgs_b fmin_slsqp fmin_tnc
        """,
        "differences, where dotbar.grad is exact": "approx_fprime check_grad",
        "print": "linprog_verbose_callback show_options",
        "hold what a solver is given and returns": """
            BFGS Bounds BroydenFirst HessianUpdateStrategy InverseJacobian KrylovJacobian LbfgsInvHessProduct
            LinearConstraint NonlinearConstraint OptimizeResult RootResults SR1
        """,
    },
    "optimize.elementwise": {
        "where a search stops, which no condition determines": "bracket_root bracket_minimum",
    },
    "signal": {
        "have whole numbers and kinds alone": "besselap buttap max_len_seq unit_impulse",
        "found by searching extremal frequencies or orders": "band_stop_obj remez",
        "positions, counts and yes or no": """
            argrel* check_COLA check_NOLA choose_conv_method correlation_lags find_peaks find_peaks_cwt
        """,
        "has no rule; make_smoothing_spline of interpolate has one": "whittaker_henderson",
    },
    "signal.windows": {
        "have a length alone": """
            barthann bartlett blackman blackmanharris bohman boxcar cosine flattop hamming hann lanczos nuttall parzen
            triang
        """,
    },
    "sparse": {
        "sizes, types and files": """
            eye eye_array get_index_dtype identity isspmatrix* load_npz safely_cast_index_arrays save_npz
        """,
        "random": "rand random random_array",
        "has three dimensions, and traced sparse arrays two": "expand_dims",
        "what the classes have in common": "sparray spmatrix",
    },
    "sparse.linalg": {
        "choose a library": "use_solver",
        "hold functions, or factors of plain arrays": "LaplacianNd LinearOperator SuperLU",
    },
    "spatial": {
        "plot": "convex_hull_plot_2d delaunay_plot_2d voronoi_plot_2d",
        "neighbours and regions, which jump": """
            cKDTree Delaunay HalfspaceIntersection KDTree SphericalVoronoi tsearch Voronoi
        """,
        "holds its bounds": "Rectangle",
    },
    "spatial.distance": {
        "distances of sets, which count": """
            dice hamming jaccard kulczynski1 rogerstanimoto russellrao sokalmichener sokalsneath yule
        """,
        "say whether a matrix is one of distances": "is_valid_dm is_valid_y num_obs_dm num_obs_y",
    },
    "special": {
        "zeros and numbers counted by integers": "erf_zeros fresnel* stirling2",
        "tables over whole degrees": "ellip_normal lqmn lqn",
        "polynomials of whole degrees; eval_legendre and its kin differentiate": """
            cheby? gegenbauer genlaguerre hermite hermitenorm jacobi laguerre legendre sh_cheby? sh_jacobi sh_legendre
        """,
        "nodes and weights of whole degrees; roots_jacobi and its kin differentiate": "*_roots roots_*",
        "how errors are treated": "errstate geterr seterr",
    },
    "stats": {
        "depend on the data by ranks and counts, and jump": """
            anderson_ksamp ansari barnard_exact binomtest boschloo_exact brunnermunzel bws_test chatterjeexi
            cramervonmises_2samp cumfreq ecdf estimated_cdf fisher_exact fligner friedmanchisquare kendalltau kruskal
            ks_2samp logrank mannwhitneyu median_test mode mood multiscale_graphcorr page_trend_test percentileofscore
            poisson_means_test quantile_test rankdata ranksums relfreq somersd spearmanr spearmanrho tiecorrect
            weightedtau wilcoxon
        """,
        "random, or call a function of plain arrays": """
            bootstrap BootstrapMethod dunnett fit goodness_of_fit monte_carlo_test MonteCarloMethod permutation_test
            PermutationMethod power sobol_indices
        """,
        "plot": "boxcox_normplot ppcc_plot probplot yeojohnson_normplot",
        "have as many values as the data say": "sigmaclip",
        "have no rule; Normal, Uniform and Logistic have one, and norm, uniform and logistic": "abs exp log",
        "have no rule; the objects of the older interface, such as norm and gamma, have one": """
            CensoredData make_distribution order_statistic rv_continuous rv_discrete truncate
        """,
    },
}
"""The functions and classes of each module of SciPy that refuse traced values, by the reason."""


def refused(module: str) -> dict[str, list[str]]:
    """The names of a module that refuse traced values, by the reason."""
    names = [n.rpartition(".")[2] for n in (*WITHOUT_RULE, *CLASSES) if n.rpartition(".")[0] == module]
    listed = {why: listing.split() for why, listing in REFUSED.get(module, {}).items()}
    found = {why: sorted(n for n in names if any(fnmatchcase(n, p) for p in ps)) for why, ps in listed.items()}
    return {why: names for why, names in found.items() if names}  # none, where this version of SciPy has none of them
