# %% [markdown]
# # Steps
#
# Write **two** functions; $2x$ is the first.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false}


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ask-double", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("doubles")  # noqa: F821


# %% nbgrader={"grade": false, "grade_id": "halve", "locked": false, "schema_version": 3, "solution": true}
def halve(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ask-halve", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("halves")  # noqa: F821
check("halves_zero")  # noqa: F821
