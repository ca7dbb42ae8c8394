print("jobmill")
